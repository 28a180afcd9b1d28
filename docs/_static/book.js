// A figure opens over the page at its full size; without this script its link opens the picture alone.
const sheet = document.createElement("dialog");
sheet.className = "enlarged";
// To close it is to go back, and to go back closes it: a phone's reader does either.
const close = () => { if (history.state?.enlarged) history.back(); else sheet.close(); };
sheet.addEventListener("click", close);
sheet.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.preventDefault(); close(); } });
addEventListener("popstate", () => { if (sheet.open) sheet.close(); });
document.body.append(sheet);
const cross = Object.assign(document.createElement("button"), { type: "button", className: "close", textContent: "\u2715",
                                                                ariaLabel: "Close" });

for (const link of document.querySelectorAll("figure.enlarge a.image-reference")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const picture = new Image();
    picture.src = link.href;
    picture.alt = link.querySelector("img").alt;
    sheet.setAttribute("aria-label", picture.alt);
    sheet.replaceChildren(picture, cross);
    sheet.showModal();
    history.pushState({ enlarged: true }, "");
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

// The entry of the contents at the right is that of the last heading above a third of the screen, however far a reader jumped.
const contents = document.querySelector("#pst-page-toc-nav");
if (contents) {
  const links = [...contents.querySelectorAll("a")].filter((link) => document.getElementById(link.hash.slice(1)));
  const sections = links.map((link) => document.getElementById(link.hash.slice(1)));
  const mark = () => {
    const at = sections.findLastIndex((section) => section.getBoundingClientRect().top < innerHeight / 3);
    links.forEach((link, index) => {
      link.classList.toggle("active", index === at);
      if (index === at) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
    });
    contents.querySelectorAll(".toc-entry").forEach((entry) => entry.classList.toggle("active", entry.contains(links[at] ?? null)));
  };
  addEventListener("scroll", () => requestAnimationFrame(mark), { passive: true });
}

// Room for a film's controls, below its picture.
const films = [...document.querySelectorAll("video.film")], CONTROLS = 92;
const makeRoom = () => films.forEach((film) => {
  film.style.height = `${film.clientWidth * film.getAttribute("height") / film.getAttribute("width") + CONTROLS}px`;
});
addEventListener("resize", makeRoom);
makeRoom();

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
