/** What meters the routes of an application, and the guard that asks it: the last one of each route. */

import { defaultFarebox, type Gate } from '@farebox/core/http'
import { type CanActivate, type ExecutionContext, type OnModuleInit, type Type, UseGuards } from '@nestjs/common'
import { type DiscoveryService, type HttpAdapterHost, MetadataScanner, type Reflector } from '@nestjs/core'
import { admit, type NestRequest } from './admission.ts'
import { METERING, type Metering } from './decorators.ts'
import type { FareboxModuleOptions } from './farebox-module.ts'

type Handler = ReturnType<ExecutionContext['getHandler']>

/** A method of a controller that is a route. */
interface Route {
  readonly controller: Type
  readonly name: string
  readonly handler: Handler
}

/** What Nest keeps on a method that is a route. */
const ROUTE_METHOD = 'method'

/** By the platform's own application, because several of Nest's in one process may share controllers, and with them the guard. */
const meters = new WeakMap<object, RouteMeters>()
const guarded = new WeakSet<Handler>()

/**
 * A guard, because Nest begins an event stream without waiting for interceptors, and a cache among them would answer what
 * nobody admitted; the last one, so that who is calling is known and strangers are not counted.
 */
const lastGuard: CanActivate = {
  canActivate(context) {
    if (context.getType() !== 'http') return true
    const { app, server } = context.switchToHttp().getRequest<{ readonly app: object; readonly server: object }>()
    const gate = (meters.get(server) ?? meters.get(app))?.gateOf(context.getClass(), context.getHandler())
    return gate ? admit(gate, context) : true
  },
}

export class RouteMeters implements OnModuleInit {
  readonly #options: FareboxModuleOptions
  readonly #discovery: DiscoveryService
  readonly #reflector: Reflector
  readonly #adapterHost: { readonly httpAdapter?: HttpAdapterHost['httpAdapter'] }
  /** By the method of a route and its controller, for those that inherit a method share it. Null: not metered. */
  readonly #gates = new Map<Handler, Map<Type, Gate<NestRequest> | null>>()

  constructor(options: FareboxModuleOptions, discovery: DiscoveryService, reflector: Reflector, adapterHost: HttpAdapterHost) {
    this.#options = options
    this.#discovery = discovery
    this.#reflector = reflector
    this.#adapterHost = adapterHost
    // Here, because Nest reads the guards of the routes before it calls `onModuleInit`.
    for (const { controller, name, handler } of this.#routes()) {
      if (!guarded.has(handler)) UseGuards(lastGuard)(controller.prototype, name, { value: handler })
      guarded.add(handler)
    }
  }

  /** Makes the gates of all routes, so that a mistake ends the start and no request pays for it. */
  onModuleInit(): void {
    for (const { controller, handler } of this.#routes()) this.gateOf(controller, handler)
    // There is none without HTTP. Of two modules in one application the first one meters.
    const application = this.#adapterHost.httpAdapter?.getInstance<object>()
    if (application !== undefined && !meters.has(application)) meters.set(application, this)
  }

  /** Metadata is read once: reading it for each request would cost as much as its arithmetic. */
  gateOf(controller: Type, handler: Handler): Gate<NestRequest> | null {
    let gate = this.#gates.get(handler)?.get(controller)
    if (gate !== undefined) return gate
    gate = this.#makeGate(this.#reflector.getAllAndOverride<Metering | undefined>(METERING, [handler, controller]))
    this.#gates.set(handler, (this.#gates.get(handler) ?? new Map<Type, typeof gate>()).set(controller, gate))
    return gate
  }

  #makeGate(metering: Metering | undefined): Gate<NestRequest> | null {
    const { farebox = defaultFarebox(), feature, global: isGlobal = true, ...options } = this.#options
    if (metering === null || (metering === undefined && !isGlobal)) return null
    return farebox.createGate<NestRequest>(metering?.feature ?? feature, { ...options, ...metering?.options })
  }

  *#routes(): Generator<Route> {
    const scanner = new MetadataScanner()
    for (const { metatype } of this.#discovery.getControllers()) {
      if (!metatype) continue
      const controller = metatype as Type
      const methods: Readonly<Record<string, Handler>> = controller.prototype
      for (const name of scanner.getAllMethodNames(controller.prototype)) {
        const handler = methods[name]
        if (handler && this.#reflector.get(ROUTE_METHOD, handler) !== undefined) yield { controller, name, handler }
      }
    }
  }
}
