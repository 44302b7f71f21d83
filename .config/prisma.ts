import { defineConfig } from 'prisma/config';

// Generating the client needs no schema engine, yet Prisma looks for the binary and downloads it when none is named.
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath;

export default defineConfig({
  schema: '../prisma/schema.prisma',
  migrations: { path: '../prisma/migrations' },
  datasource: { url: process.env['DATABASE_URL'] ?? '' },
});
