/** `FareboxModule`: meters every route of an application, as its controllers say. */

import { defaultFarebox, type Farebox } from '@farebox/core/http'
import type { DynamicModule, InjectionToken, ModuleMetadata, OptionalFactoryDependency, Provider, Type } from '@nestjs/common'
import { APP_INTERCEPTOR, DiscoveryModule, DiscoveryService, Reflector } from '@nestjs/core'
import type { NestMeterOptions } from './decorators.ts'
import { MeterInterceptor } from './meter-interceptor.ts'

/** The options of `FareboxModule`: of every meter, where `@Metered()` says nothing else. */
export interface FareboxModuleOptions extends NestMeterOptions {
  /** The Farebox that meters; who made it stops it. Default: the one of the process; with none or several of them the start fails with `no_farebox`. */
  farebox?: Pick<Farebox, 'createGate'>
}

/** Makes the options, for `useClass` and `useExisting`. */
export interface FareboxOptionsFactory {
  createFareboxOptions(): FareboxModuleOptions | Promise<FareboxModuleOptions>
}

/** The options of `forRootAsync`: one of `useFactory`, `useClass` and `useExisting`. */
export interface FareboxModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  useFactory?: (...injected: never[]) => FareboxModuleOptions | Promise<FareboxModuleOptions>
  /** What `useFactory` is given. */
  inject?: (InjectionToken | OptionalFactoryDependency)[]
  useClass?: Type<FareboxOptionsFactory>
  useExisting?: InjectionToken
}

const OPTIONS = Symbol('farebox:options')

/**
 * Import it once, in the root module. Each route counts one unit of the catalog's default feature; `@Metered()` and
 * `@SkipMeter()` say otherwise. A mistake (`unknown_feature`, `invalid_option`, `no_farebox`, …) ends the start.
 */
export class FareboxModule {
  static forRoot(options: FareboxModuleOptions = {}): DynamicModule {
    return dynamicModule([], [{ provide: OPTIONS, useValue: options }])
  }

  static forRootAsync(options: FareboxModuleAsyncOptions): DynamicModule {
    return dynamicModule(options.imports ?? [], asyncProviders(options))
  }
}

function dynamicModule(imports: NonNullable<ModuleMetadata['imports']>, providers: Provider[]): DynamicModule {
  return {
    module: FareboxModule,
    global: true,
    imports: [DiscoveryModule, ...imports],
    providers: [
      ...providers,
      {
        provide: APP_INTERCEPTOR,
        useFactory: ({ farebox = defaultFarebox(), ...options }: FareboxModuleOptions, ...nest: [DiscoveryService, Reflector]) =>
          new MeterInterceptor(farebox, options, ...nest),
        inject: [OPTIONS, DiscoveryService, Reflector],
      },
    ],
  }
}

function asyncProviders({ useFactory, inject = [], useClass, useExisting }: FareboxModuleAsyncOptions): Provider[] {
  if (useFactory !== undefined) return [{ provide: OPTIONS, useFactory, inject }]
  const token = useExisting ?? useClass
  if (token === undefined) throw new TypeError('FareboxModule.forRootAsync() needs useFactory, useClass or useExisting')
  const provider: Provider = {
    provide: OPTIONS,
    useFactory: (factory: FareboxOptionsFactory) => factory.createFareboxOptions(),
    inject: [token],
  }
  return useClass === undefined ? [provider] : [provider, useClass]
}
