// Elements of the page, made and found.

export const $ = (id) => document.getElementById(id);

/** An HTML element with properties, and text or children inside. */
export function make(name, properties = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...inside);
  return element;
}

export function button(words, label, press, kind = "small") {
  const element = make("button", { type: "button", className: kind }, words);
  if (label) element.setAttribute("aria-label", label);
  element.addEventListener("click", press);
  return element;
}

/** Put an address on the clipboard, or else in the address bar; tells where it is. */
export async function handOut(address) {
  try {
    await navigator.clipboard.writeText(address);
    return "The link is copied.";
  } catch {
    history.replaceState(null, "", address);
    return "The link is in the address bar.";
  }
}
