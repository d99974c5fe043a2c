/** A wire between the store and the server that can be cut at a chosen moment. */

import net, { type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Wire {
  readonly url: string
  /** Cuts the connection when a message with this text comes from the store: before or after the server got it. Once. */
  cutAt(text: string, when: 'before' | 'after'): void
  /** Lets nothing through in either direction, and keeps every connection open. */
  isSilent: boolean
  /** How often it was cut. */
  readonly cuts: number
}

export async function wireTo(databaseUrl: string): Promise<Wire> {
  const { hostname, port } = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let cut: { text: string; when: 'before' | 'after' } | null = null
  const state = { isSilent: false, cuts: 0 }
  const server = net.createServer((store) => {
    const database = net.connect(Number(port), hostname)
    for (const socket of [store, database]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    store.on('data', (data) => {
      if (state.isSilent) return
      if (cut === null || !data.includes(cut.text)) return void database.write(data)
      const { when } = cut
      cut = null
      state.cuts += 1
      store.destroy()
      // What was sent is executed, though nobody hears of it.
      if (when === 'after') database.write(data, () => database.end())
      else database.destroy()
    })
    database.on('data', (data) => {
      if (!state.isSilent) store.write(data)
    })
    store.on('close', () => database.end())
    database.on('close', () => store.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const wired = new URL(databaseUrl)
  wired.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: String(wired),
    cutAt(text, when) {
      cut = { text, when }
    },
    get isSilent() {
      return state.isSilent
    },
    set isSilent(value) {
      state.isSilent = value
    },
    get cuts() {
      return state.cuts
    },
  }
}
