// Fewer cells while a scene is turned or zoomed, where all of them would be slow, and all of them again when it rests.

// Milliseconds a frame above which turning is no longer fluid.
const SLOW = 50;
// Points (a segment of a morphology counts three) that a processor without a graphics card turns fluidly, and the
// fewest to which slow frames bring it down.
const SOFTWARE_POINTS = 1500, FEWEST_POINTS = 400;
// Milliseconds without a movement after which everything is drawn again.
const REST = 200;

function drawsInSoftware() {
  const gl = document.createElement("canvas").getContext("webgl");
  if (!gl) return false;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}

const isLines = (trace) => trace.mode === "lines";

// One in `step` of the cells, or of the segments, of a trace. Cells that are not drawn stay as gaps, so that the others keep
// their numbers. Segments are triples, a beginning, an end and a gap; they are taken out, since gaps take time as well.
function thinned(trace, step) {
  const thin = isLines(trace)
    ? (values) => values.filter((_, index) => Math.floor(index / 3) % step === 0)
    : (values) => values.map((value, index) => (index % step === 0 ? value : null));
  return { x: thin(trace.x), y: thin(trace.y), z: thin(trace.z) };
}

// Of how many cells, and of how many segments, one can be drawn: the cells come first, and leave a third to the segments.
function steps(cells, segments, budget) {
  const one = Math.max(1, Math.ceil(cells / (segments ? (2 * budget) / 3 : budget)));
  return { cells: one, segments: Math.max(1, Math.ceil((3 * segments) / (budget - cells / one))) };
}

function inWords(step) {
  const parts = Object.entries(step).filter(([, value]) => value > 1).map(([name, value]) => `1 in ${value} of these ${name}`);
  return parts.length ? `While it is turned, ${parts.join(" and ")} is drawn; all when it rests.` : "";
}

function median(values) {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];
}

function keepFluid(element, note, budget) {
  const whole = element.data.map(({ x, y, z, mode }) => ({ x, y, z, mode }));
  const count = (traces) => traces.reduce((sum, trace) => sum + trace.x.length, 0);
  const segments = count(whole.filter(isLines)) / 3, cells = count(whole) - 3 * segments;
  let step = steps(cells, segments, budget), moving = false, changed = false, rest = 0, frames = [], last = 0;

  // Plotly finds what is under the mouse in a picture of the last frame. Until there is one of what is drawn now, it would
  // look for it among traces that have changed, and fail: so it does not hear of the mouse for two frames.
  function draw(traces) {
    const axes = {};
    for (const axis of ["x", "y", "z"]) axes[axis] = traces.map((trace) => trace[axis]);
    changed = true;
    Plotly.restyle(element, axes).then(() => requestAnimationFrame(() => requestAnimationFrame(() => { changed = false; })));
  }
  function begin() {
    clearTimeout(rest);
    if (moving) return;
    moving = true; frames = []; last = 0;
    step = steps(cells, segments, budget);
    note.textContent = inWords(step);
    note.hidden = !note.textContent;
    requestAnimationFrame(first);
  }
  function first(now) {
    if (moving && inWords(step)) draw(whole.map((trace) => thinned(trace, isLines(trace) ? step.segments : step.cells)));
    frame(now);
  }
  function frame(now) {
    if (!moving) return;
    if (last) frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  }
  function restSoon() { clearTimeout(rest); rest = setTimeout(end, REST); }
  function end() {
    moving = false;
    if (inWords(step)) draw(whole);
    if (frames.length < 6 || median(frames) < SLOW) return;
    const drawn = cells / step.cells + (3 * segments) / step.segments;
    budget = Math.max(FEWEST_POINTS, Math.min(budget, drawn) / 2);
  }
  element.addEventListener("mousemove", (event) => { if (changed) event.stopPropagation(); }, true);
  const scene = element.querySelector(".gl-container");
  scene.addEventListener("pointerdown", begin, true);
  scene.addEventListener("wheel", () => { begin(); restSoon(); }, { capture: true, passive: true });
  for (const over of ["pointerup", "pointercancel"]) window.addEventListener(over, () => { if (moving) restSoon(); });
}
