/**
 * Lets a renderer that injects `<style>` elements and `style` attributes run under `style-src 'self'`.
 *
 * Rules go into constructed style sheets and attributes into the CSS object model, both of which the policy
 * allows. The page is patched, once and for good: the renderer makes such elements whenever it draws.
 */

const obeying = new WeakSet<Document>();

/** From now on `document` makes only styles that the policy accepts. */
export function obeyStylePolicy(document: Document): void {
  if (obeying.has(document)) {
    return;
  }
  obeying.add(document);
  const create = document.createElement.bind(document) as (tag: string) => HTMLElement;
  const createObedient = (tag: string) =>
    tag === 'style' ? standInForStyle(create('hither-style'), document) : create(tag);
  document.createElement = createObedient as Document['createElement'];
  HTMLSpanElement.prototype.setAttribute = setAttributeByObjectModel;
}

/** An inert element whose text becomes a constructed style sheet; even an empty `<style>` violates the policy. */
function standInForStyle(element: HTMLElement, document: Document): HTMLElement {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, 'textContent', {
    set: (css: string) => sheet.replaceSync(css),
    get: () => '',
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

function setAttributeByObjectModel(this: HTMLSpanElement, name: string, value: string): void {
  if (name === 'style') {
    this.style.cssText = value;
  } else {
    Element.prototype.setAttribute.call(this, name, value);
  }
}
