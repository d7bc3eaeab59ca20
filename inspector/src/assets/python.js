// Colours for Python source: enough to read by, no parser. Works on a whole text, since a string may span lines.

const KEYWORDS = new Set(
  ("False None True and as assert async await break case class continue def del elif else except finally for from global if import " +
    "in is lambda match nonlocal not or pass raise return try type while with yield").split(" "),
);
const TYPES = new Set("int float bool str bytes list dict tuple set DSError Queue Lock WaitGroup".split(" "));

const TOKEN =
  /(#[^\n]*)|((?:[rbfRBF]{0,2})(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|(@[A-Za-z_][\w.]*)|([A-Za-z_]\w*)|(\d[\w.]*)/g;

/** The text by lines; each line a list of `[kind, text]`, kind "" for plain text. */
export function highlight(text) {
  const lines = [[]];
  const push = (kind, piece) => {
    piece.split("\n").forEach((part, i) => {
      if (i) lines.push([]);
      if (part) lines[lines.length - 1].push([kind, part]);
    });
  };
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    push("", text.slice(at, match.index));
    at = match.index + match[0].length;
    const [all, comment, string, decorator, word] = match;
    if (comment) push("comment", all);
    else if (string) push("string", all);
    else if (decorator) push("decorator", all);
    else if (word) push(KEYWORDS.has(word) ? "keyword" : TYPES.has(word) ? "type" : text[at] === "(" ? "call" : "", all);
    else push("number", all);
  }
  push("", text.slice(at));
  return lines;
}
