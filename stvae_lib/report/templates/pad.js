// A square to move in: pointer, or arrow keys (with Shift: larger steps). Trait `point` is [x, y], each from 0 to 1.
const SIDE = 260;

function render({ model, el }) {
  const pad = document.createElement("div");
  pad.tabIndex = 0;
  pad.className = "stvae-pad";
  pad.setAttribute("role", "application");
  pad.setAttribute("aria-label", "Mixing pad: arrow keys move between four styles");
  pad.style.cssText = `position:relative;width:${SIDE}px;height:${SIDE}px;border:1px solid #8a8a8a;border-radius:4px;` +
    "background:linear-gradient(45deg,#eee,#fff);touch-action:none;cursor:crosshair;margin:4px";
  const dot = document.createElement("div");
  dot.style.cssText = "position:absolute;width:14px;height:14px;margin:-7px;border-radius:7px;background:#2a6fbb;pointer-events:none";
  const places = [["left", "top"], ["right", "top"], ["left", "bottom"], ["right", "bottom"]];
  const labels = places.map(([across, down]) => {
    const label = document.createElement("span");
    label.style.cssText = `position:absolute;${across}:6px;${down}:4px;font:11px sans-serif;color:#222;pointer-events:none`;
    pad.appendChild(label);
    return label;
  });
  pad.appendChild(dot);
  el.appendChild(pad);

  const clamp = (value) => Math.min(1, Math.max(0, value));
  function show() {
    const [x, y] = model.get("point");
    dot.style.left = `${100 * x}%`;
    dot.style.top = `${100 * y}%`;
    model.get("corners").forEach((name, index) => { labels[index].textContent = name; });
    pad.setAttribute("aria-valuetext", `${Math.round(100 * x)} percent right, ${Math.round(100 * y)} percent down`);
  }
  function move(x, y) {
    model.set("point", [clamp(x), clamp(y)]);
    model.save_changes();
    show();
  }
  function follow(event) {
    const box = pad.getBoundingClientRect();
    move((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }
  pad.addEventListener("pointerdown", (event) => { pad.setPointerCapture(event.pointerId); pad.focus(); follow(event); });
  pad.addEventListener("pointermove", (event) => { if (event.buttons) follow(event); });
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  pad.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const size = event.shiftKey ? 0.25 : 0.05;
    const [x, y] = model.get("point");
    move(x + size * step[0], y + size * step[1]);
  });
  model.on("change", show);
  show();
}

export default { render };
