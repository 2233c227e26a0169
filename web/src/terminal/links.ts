/** Links in the output: untrusted text that a person may follow, after seeing where it leads. */

/** The address if it may be opened: http and https only. */
export function safeLink(text: string): string | undefined {
  if (!URL.canParse(text)) {
    return undefined;
  }
  const { protocol, href } = new URL(text);
  return protocol === 'http:' || protocol === 'https:' ? href : undefined;
}

/** Opens a link in a page that learns nothing of this one. */
export function openLink(text: string): void {
  const url = safeLink(text);
  if (url !== undefined) {
    window.open(url, '_blank', 'noopener,noreferrer');
  }
}
