// What is being said, marked in the transcript: the sentence by its recorded time, the word by guess.

/**
 * Lines of the transcript as they are heard. When a sentence began and ended was recorded; where in
 * it a word is, nobody knows: each has a share of the time by its letters.
 */
export class Transcript {
  /** @param story The list of what was said and what happened. */
  constructor(story) {
    this.sentences = [...story.querySelectorAll(".sentence[data-at]")]
      .map((shown) => ({
        shown,
        who: shown.closest(".caller") ? "caller" : "agent",
        at: Number(shown.dataset.at),
        until: Number(shown.dataset.until),
        text: shown.textContent,
      }))
      .filter((one) => one.until > one.at)
      .sort((a, b) => a.at - b.at);
    this.longest = this.sentences.reduce((most, one) => Math.max(most, one.until - one.at), 0);
    this.current = new Map();
  }

  /** Mark what is said at a moment; returns the element of what has begun to be, or null. */
  at(moment) {
    const now = new Set(this.#spoken(moment));
    for (const [one, words] of this.current) {
      if (now.has(one)) continue;
      one.shown.classList.remove("now");
      one.shown.closest(".entry").classList.remove("now");
      one.shown.replaceChildren(one.text);
      words.length = 0;
      this.current.delete(one);
    }
    let begun = null;
    for (const one of now) {
      if (!this.current.has(one)) {
        this.current.set(one, spread(one));
        one.shown.classList.add("now");
        one.shown.closest(".entry").classList.add("now");
        begun = one.shown.closest(".entry");
      }
      for (const word of this.current.get(one)) {
        word.shown.classList.toggle("word", word.at <= moment && moment < word.until);
      }
    }
    return begun;
  }

  /** Return the line that is said at a moment, or the last before it; null if there is none. */
  line(moment) {
    return this.sentences[this.#last(moment)]?.shown.closest(".entry") ?? null;
  }

  /** Return the index of the last sentence that has begun at a moment; -1 before the first. */
  #last(moment) {
    let [low, high] = [0, this.sentences.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sentences[middle].at <= moment) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  *#spoken(moment) {
    for (let n = this.#last(moment); n >= 0; n -= 1) {
      const one = this.sentences[n];
      if (one.at + this.longest <= moment) return;
      if (moment < one.until) yield one;
    }
  }
}

/** Put each word of a sentence into an element, with its share of the time by its letters. */
function spread(sentence) {
  const pieces = sentence.text.split(/(\s+)/).filter((piece) => piece);
  const letters = pieces.reduce((all, piece) => all + piece.trim().length, 0) || 1;
  const each = (sentence.until - sentence.at) / letters;
  let at = sentence.at;
  const words = [];
  const shown = pieces.map((piece) => {
    const length = piece.trim().length;
    if (!length) return piece;
    const word = document.createElement("span");
    word.textContent = piece;
    words.push({ shown: word, at, until: at + length * each });
    at += length * each;
    return word;
  });
  sentence.shown.replaceChildren(...shown);
  return words;
}
