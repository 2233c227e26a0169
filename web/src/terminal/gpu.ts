/** Whether WebGL would run on hardware. On a software rasteriser it is several times slower than the DOM. */

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render|virtualbox|mesa offscreen/i;

export function hasRealGpu(document: Document): boolean {
  const canvas = document.createElement('canvas');
  const gl = canvas.getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (gl === null) {
    return false;
  }
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const renderer = gl.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER);
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return typeof renderer === 'string' && renderer !== '' && !SOFTWARE.test(renderer);
}
