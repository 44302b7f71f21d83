// Before the first paint, so that nothing flashes: light or dark where somebody chose, else what the system wishes.
const chosen = localStorage.getItem('aloft.theme');
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
