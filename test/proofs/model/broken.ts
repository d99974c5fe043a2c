/** Negative controls: defects between the engine and its store that the model must notice. */

import { type Store, submitBy } from '@farebox/core/contracts'

/** Admission that forgets what is reserved by requests in flight. */
export function forgetsReservations(store: Store): Store {
  return withChange(store, (target, decide) =>
    store.change(target, (state) => decide({ ...state, usage: state.usage.map((usage) => ({ ...usage, reserved: 0n })) })),
  )
}

/** A change that is applied twice, as after a retry of a commit whose answer was lost. */
export function appliesTwice(store: Store): Store {
  return withChange(store, async (target, decide) => {
    await store.change(target, decide)
    return store.change(target, decide)
  })
}

/** The same store with another door for writes. */
export function withChange(store: Store, change: Store['change']): Store {
  const submit = submitBy(change)
  return new Proxy(store, {
    get: (_target, member) => {
      if (member === 'change') return change
      if (member === 'submit') return submit
      const value: unknown = Reflect.get(store, member, store)
      return typeof value === 'function' ? value.bind(store) : value
    },
  })
}
