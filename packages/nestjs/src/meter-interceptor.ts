/** The interceptor of all routes: it runs after every guard, so that who is calling is known and strangers are not counted. */

import type { Farebox, Gate } from '@farebox/core/http'
import type { CallHandler, ExecutionContext, NestInterceptor, OnModuleInit } from '@nestjs/common'
import type { DiscoveryService, Reflector } from '@nestjs/core'
import type { Observable } from 'rxjs'
import { admit, type NestRequest } from './admission.ts'
import { METERING, type Metering, type NestMeterOptions } from './decorators.ts'

/** What Nest keeps on a method that is a route. */
const ROUTE_METHOD = 'method'

/** By controller and method, because controllers may share a method that they inherit. Null: not metered. */
type Gates = Map<object, Map<unknown, Gate<NestRequest> | null>>

export class MeterInterceptor implements NestInterceptor, OnModuleInit {
  readonly #farebox: Pick<Farebox, 'createGate'>
  readonly #options: NestMeterOptions
  readonly #discovery: DiscoveryService
  readonly #reflector: Reflector
  readonly #gates: Gates = new Map()
  /** One gate for routes that say the same. */
  readonly #byMetering = new Map<Metering | undefined, Gate<NestRequest>>()

  constructor(
    farebox: Pick<Farebox, 'createGate'>,
    options: NestMeterOptions,
    discovery: DiscoveryService,
    reflector: Reflector,
  ) {
    this.#farebox = farebox
    this.#options = options
    this.#discovery = discovery
    this.#reflector = reflector
  }

  /** Makes the gates of all routes, so that a mistake ends the start and no request pays for it. */
  onModuleInit(): void {
    for (const { metatype, instance } of this.#discovery.getControllers()) {
      if (!metatype) continue
      for (let prototype = Object.getPrototypeOf(instance); prototype !== null && prototype !== Object.prototype;) {
        for (const { value } of Object.values(Object.getOwnPropertyDescriptors(prototype)))
          if (typeof value === 'function' && this.#reflector.get(ROUTE_METHOD, value) !== undefined) this.#gateOf(metatype, value)
        prototype = Object.getPrototypeOf(prototype)
      }
    }
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (context.getType() !== 'http') return next.handle()
    const gate = this.#gateOf(context.getClass(), context.getHandler())
    return gate === null ? next.handle() : admit(gate, context, next)
  }

  #gateOf(controller: object, handler: unknown): Gate<NestRequest> | null {
    let gates = this.#gates.get(controller)
    if (gates === undefined) this.#gates.set(controller, (gates = new Map()))
    let gate = gates.get(handler)
    if (gate === undefined) gates.set(handler, (gate = this.#makeGate([handler, controller])))
    return gate
  }

  #makeGate(targets: Parameters<Reflector['getAllAndOverride']>[1] | unknown[]): Gate<NestRequest> | null {
    const metering = this.#reflector.getAllAndOverride<Metering | undefined>(METERING, targets as never)
    if (metering === null) return null
    let gate = this.#byMetering.get(metering)
    if (gate === undefined) {
      gate = this.#farebox.createGate<NestRequest>(metering?.feature, { ...this.#options, ...metering?.options })
      this.#byMetering.set(metering, gate)
    }
    return gate
  }
}
