/** @returns calls `paint` in the next frame, however often it is called before. A hidden tab has no frames and paints when it is looked at. */
export function oncePerFrame(paint: () => void): { (): void; cancel(): void } {
  let frame: number | null = null;
  const request = (): void => {
    frame ??= requestAnimationFrame(() => {
      frame = null;
      paint();
    });
  };
  request.cancel = (): void => {
    if (frame !== null) cancelAnimationFrame(frame);
  };
  return request;
}
