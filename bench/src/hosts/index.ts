/** Frameworks by name. */

import { EXPRESS } from './express.ts'
import { FASTIFY } from './fastify.ts'
import { HONO } from './hono.ts'
import type { Variants } from './host.ts'
import { NESTJS } from './nestjs.ts'

export const HOSTS: Readonly<Record<string, Variants>> = {
  'Express 5': EXPRESS,
  'Hono 4': HONO,
  'Fastify 5': FASTIFY,
  'NestJS 12 on Express': NESTJS,
}
