import { expect, test } from 'vitest'
import { grantOf } from '../../test/accounts.ts'
import type { Grant } from '../records/grant.ts'
import { decimal } from '../values/decimal.ts'
import { applyEntry, emptyAccount, type Entry } from './account-state.ts'
import { createChangedRecords } from './changed-records.ts'

const granted = (id: string, change: Partial<Grant> = {}): Entry => ({ kind: 'granted', grant: grantOf(id, change) })

test('records are written once, as they are at the end, in the order in which they were first touched, whosever they are', () => {
  const [ada, bob] = [{ state: emptyAccount('ada') }, { state: emptyAccount('bob') }]
  const records = createChangedRecords<typeof ada>()
  const change = (account: typeof ada, entry: Entry): void => {
    applyEntry(account.state, entry)
    records.add(account, entry)
  }
  change(ada, granted('a1'))
  change(bob, granted('b1'))
  change(ada, granted('a2'))
  change(bob, granted('b2'))
  change(ada, granted('a1', { granted: decimal('12') }))
  change(bob, granted('b1', { isClosed: true }))
  const written = [...records.written()].map(([account, { id, isOpen }]) => [account.state.customerId, id, isOpen])
  expect(written).toEqual([
    ['ada', 'a1', true],
    ['bob', 'b1', false],
    ['ada', 'a2', true],
    ['bob', 'b2', true],
  ])
  expect(records.find(ada, { kind: 'grant', id: 'a1' })?.document).toContain('"granted":"12"')
})
