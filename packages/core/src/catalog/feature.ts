/** Features: what is sold. */

import { type Field, readEntries, readFlag, readName, readOptions, readWord, refuse } from './definition.ts'

/** A feature that is counted. */
export interface MeteredFeatureDefinition {
  readonly type: 'metered'
  /** Printed on invoices; the code when absent. */
  readonly name?: string
  /** What one unit is, such as `'MB'`. */
  readonly unit?: string
  /** Counted by a `meter()` that names no feature; at most one. A catalog's only metered feature is its default. */
  readonly default?: boolean
}

/** A feature that is on or off. */
export interface BooleanFeatureDefinition {
  readonly type: 'boolean'
  /** Printed in price lists; the code when absent. */
  readonly name?: string
}

export type FeatureDefinition = MeteredFeatureDefinition | BooleanFeatureDefinition

/** A feature as the engine reads it. */
export interface Feature {
  readonly code: string
  readonly type: 'metered' | 'boolean'
  readonly name: string
  readonly unit: string | null
  /** Counted by a `meter()` that names no feature. */
  readonly isDefault: boolean
}

/** Reads the features in the order in which they were written. At most one is the default, the only metered one unless it says no. */
export function readFeatures(field: Field): Map<string, Feature> {
  const entries = readEntries(field)
  const features = entries.map(([code, entry]) => ({ ...readFeature(code, entry), entry }))
  const onlyMetered = features.filter((feature) => feature.type === 'metered').length === 1

  const compiled = new Map<string, Feature>()
  let defaultCode: string | null = null
  for (const { entry, wantsDefault, ...feature } of features) {
    const isDefault = feature.type === 'metered' && (wantsDefault ?? onlyMetered)
    if (isDefault && defaultCode !== null) {
      refuse(
        { path: `${entry.path}.default`, value: true },
        { expected: `only one default feature, which is features.${defaultCode},`, fix: 'remove default from one of them' },
      )
    }
    if (isDefault) defaultCode = feature.code
    compiled.set(feature.code, { ...feature, isDefault })
  }
  return compiled
}

/** A feature before it is known which is the default. */
interface ReadFeature extends Omit<Feature, 'isDefault'> {
  readonly wantsDefault: boolean | null
}

function readFeature(code: string, field: Field): ReadFeature {
  const option = readOptions(field, ['type', 'name', 'unit', 'default'])
  const type = readWord(
    option('type'),
    ['metered', 'boolean'],
    "write 'metered' for what is counted, 'boolean' for what is on or off",
  )
  const wantsDefault = readFlag(option('default'))
  if (type === 'boolean' && wantsDefault === true) {
    refuse(option('default'), {
      expected: 'a metered feature as the default',
      fix: `remove default, or make the type of ${field.path} 'metered'`,
    })
  }
  if (type === 'boolean' && option('unit').value !== undefined) {
    refuse(option('unit'), {
      expected: 'no unit on a boolean feature',
      fix: `remove it, or make the type of ${field.path} 'metered'`,
    })
  }
  return { code, type, name: readName(option('name')) ?? code, unit: readName(option('unit')), wantsDefault }
}
