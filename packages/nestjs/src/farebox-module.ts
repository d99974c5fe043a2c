/** `FareboxModule`: meters every route of an application, as its controllers say. */

import type { Farebox, FeatureCode } from '@farebox/core/http'
import { ConfigurableModuleBuilder, type ConfigurableModuleHost, type DynamicModule, type Provider } from '@nestjs/common'
import type { ConfigurableModuleAsyncOptions, ConfigurableModuleOptionsFactory } from '@nestjs/common'
import { DiscoveryModule, DiscoveryService, HttpAdapterHost, Reflector } from '@nestjs/core'
import type { NestRequest } from './admission.ts'
import type { NestMeterOptions } from './decorators.ts'
import { RouteMeters } from './route-meters.ts'

/** The options of `FareboxModule`: of every meter, where `@Metered()` says nothing else. */
export interface FareboxModuleOptions<Request = NestRequest> extends NestMeterOptions<Request> {
  /** The Farebox that meters; who made it stops it. Default: the one of the process; with none or several of them the start fails with `no_farebox`. */
  farebox?: Pick<Farebox, 'createGate'>
  /** What is metered where `@Metered()` names no feature. Default: the catalog's default feature. */
  feature?: FeatureCode
  /** Whether routes are metered that say nothing. Default true. */
  global?: boolean
}

const FACTORY_METHOD = 'createFareboxOptions'

/** Makes the options, for `useClass` and `useExisting`: its method is `createFareboxOptions`. */
export type FareboxOptionsFactory<Request = NestRequest> = ConfigurableModuleOptionsFactory<
  FareboxModuleOptions<Request>,
  typeof FACTORY_METHOD
>

/** The options of `forRootAsync`: `useFactory` with `inject`, or `useClass`, or `useExisting`; and `imports`. */
export type FareboxModuleAsyncOptions<Request = NestRequest> = ConfigurableModuleAsyncOptions<
  FareboxModuleOptions<Request>,
  typeof FACTORY_METHOD
>

const configurable: ConfigurableModuleHost<
  FareboxModuleOptions<never>,
  'forRoot',
  typeof FACTORY_METHOD
> = new ConfigurableModuleBuilder<FareboxModuleOptions<never>>()
  .setClassMethodName('forRoot')
  .setFactoryMethodName(FACTORY_METHOD)
  .build()

/**
 * Import it once, in the root module. Each route counts one unit of the catalog's default feature; `@Metered()` and
 * `@SkipMeter()` say otherwise. A mistake (`unknown_feature`, `invalid_option`, `no_farebox`, …) ends the start.
 */
export class FareboxModule {
  static forRoot<Request = NestRequest>(options: FareboxModuleOptions<Request> = {}): DynamicModule {
    return complete(configurable.ConfigurableModuleClass.forRoot(options))
  }

  static forRootAsync<Request = NestRequest>(options: FareboxModuleAsyncOptions<Request>): DynamicModule {
    return complete(configurable.ConfigurableModuleClass.forRootAsync(options))
  }
}

function complete({ imports = [], providers = [] }: DynamicModule): DynamicModule {
  return { module: FareboxModule, imports: [...imports, DiscoveryModule], providers: [...providers, routeMeters] }
}

const routeMeters: Provider = {
  provide: RouteMeters,
  useFactory: (...parts: ConstructorParameters<typeof RouteMeters>) => new RouteMeters(...parts),
  inject: [configurable.MODULE_OPTIONS_TOKEN, DiscoveryService, Reflector, HttpAdapterHost],
}
