// A figure opens over the page at its full size; without this script its link opens the picture alone.
const sheet = document.createElement("dialog");
sheet.className = "enlarged";
sheet.addEventListener("click", () => sheet.close());
sheet.addEventListener("keydown", (event) => { if (event.key === "Escape") sheet.close(); });  // the theme takes it elsewhere
document.body.append(sheet);

for (const link of document.querySelectorAll("figure.enlarge a.image-reference")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const picture = new Image();
    picture.src = link.href;
    picture.alt = link.querySelector("img").alt;
    sheet.setAttribute("aria-label", picture.alt);
    sheet.replaceChildren(picture);
    sheet.showModal();
  });
}

// The handle between a photograph and its painting.
for (const figure of document.querySelectorAll("figure.compare")) {
  const handle = figure.querySelector("input");
  const move = () => figure.style.setProperty("--share", `${handle.value}%`);
  handle.addEventListener("input", move);
  move();
}

// A table or a formula that does not fit its box says that it scrolls.
const boxes = [...document.querySelectorAll(".pst-scrollable-table-container, .math-block")];
const measure = () => boxes.forEach((box) => box.classList.toggle("overflows", box.scrollWidth > box.clientWidth + 1));
addEventListener("resize", measure);
addEventListener("toggle", measure, true);  // a table behind a fold has no size before
measure();

// A film is loaded and runs while it is in sight, unless the reader wants little motion.
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
  const sight = new IntersectionObserver((seen) => seen.forEach(({target, isIntersecting}) => {
    if (isIntersecting) target.play().catch(() => {}); else target.pause();
  }));
  document.querySelectorAll("video.film").forEach((film) => sight.observe(film));
}

// What the theme's own markup tells a screen reader: labels that hide a text, and a list whose entries are none.
document.querySelectorAll("details.hide > summary, button.search-button-field").forEach((named) => named.removeAttribute("aria-label"));
document.querySelectorAll(".citation-list > .citation").forEach((entry) => entry.setAttribute("role", "listitem"));
