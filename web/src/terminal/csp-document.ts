/**
 * Lets a renderer that injects `<style>` elements and `style` attributes run under `style-src 'self'`.
 *
 * Rules go into constructed style sheets and attributes into the CSS object model, both of which the policy
 * allows. Nothing of the page is patched for good: the renderer gets a stand-in document.
 */

/** A document for the renderer alone: same tree, but styles that the policy accepts. */
export function cspDocument(real: Document): Document {
  const createElement = styleAwareCreateElement(real);
  return new Proxy(real, {
    get(target, name) {
      if (name === 'createElement') {
        return createElement;
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Runs `build` while the real document too makes elements that the policy accepts. */
export function withStyleAwareDocument(real: Document, build: () => void): void {
  // An own property shadows the method of the prototype, and deleting it brings the method back.
  Object.defineProperty(real, 'createElement', {
    value: styleAwareCreateElement(real),
    configurable: true,
  });
  try {
    build();
  } finally {
    Reflect.deleteProperty(real, 'createElement');
  }
}

function styleAwareCreateElement(real: Document): Document['createElement'] {
  const create = Document.prototype.createElement.bind(real) as (tag: string) => HTMLElement;
  const createAware = (tag: string): HTMLElement => {
    switch (tag) {
      case 'style':
        return standInForStyle(create('hither-style'), real);
      case 'span': {
        const span = create('span');
        span.setAttribute = setAttributeByObjectModel;
        return span;
      }
      default:
        return create(tag);
    }
  };
  return createAware as Document['createElement'];
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

function setAttributeByObjectModel(this: HTMLElement, name: string, value: string): void {
  if (name === 'style') {
    this.style.cssText = value;
  } else {
    Element.prototype.setAttribute.call(this, name, value);
  }
}
