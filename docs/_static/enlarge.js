// A figure opens over the page at its full size; without this script its link opens the picture alone.
const sheet = document.createElement("dialog");
sheet.className = "enlarged";
sheet.addEventListener("click", () => sheet.close());
document.body.append(sheet);

for (const link of document.querySelectorAll("figure.enlarge a")) {
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
