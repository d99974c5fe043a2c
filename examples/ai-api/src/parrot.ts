/** Stands for a provider of AI models: says back what it hears, word by word, as OpenAI's API streams an answer. */

export const MODEL = 'gpt-4o-mini'

/** Longer questions are cut, and longer answers stop. */
export const MOST_WORDS = 500

export interface Parrot {
  /** Server-sent events; the last one has the counts, as `stream_options: { include_usage: true }` asks for. */
  ask(question: string): ReadableStream<Uint8Array>
}

/** Here a word is a token. */
export function createParrot(wordEveryMs = 20): Parrot {
  return {
    ask(question) {
      const words = wordsOf(question).slice(0, MOST_WORDS)
      const answer = [...words, 'squawk!'].slice(0, MOST_WORDS)
      let said = 0
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            if (said > answer.length) return controller.close()
            if (wordEveryMs > 0) await new Promise((resolve) => setTimeout(resolve, wordEveryMs))
            const word = answer[said]
            said += 1
            if (word !== undefined)
              controller.enqueue(event({ choices: [{ index: 0, delta: { content: `${word} ` }, finish_reason: null }] }))
            else
              controller.enqueue(event({ choices: [], usage: { prompt_tokens: words.length, completion_tokens: answer.length } }))
          },
        },
        { highWaterMark: 0 },
      )
    },
  }
}

export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

function event(value: object): Uint8Array {
  return new TextEncoder().encode(`data: ${JSON.stringify({ object: 'chat.completion.chunk', model: MODEL, ...value })}\n\n`)
}
