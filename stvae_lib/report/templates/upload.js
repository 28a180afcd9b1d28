// A button that takes a picture's file. One of more than `most` bytes is refused here, and said so; any other is sent in
// pieces, as servers close the connection on a large message.
const PIECE = 1_000_000;

function render({ model, el }) {
  const button = document.createElement("button");
  button.className = "jupyter-button widget-button";
  button.style.width = "auto";
  button.textContent = model.get("description");
  button.title = model.get("tooltip");
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/*";
  input.hidden = true;
  const message = document.createElement("div");
  message.setAttribute("role", "alert");
  message.style.color = "#c8443b";
  el.append(button, input, message);

  async function take(file) {
    const most = model.get("most");
    message.textContent = "";
    if (file.size > most) {
      message.textContent = `${file.name}: has ${Math.ceil(file.size / 1e6)} MB; give a file of at most ${most / 1e6} MB`;
      return;
    }
    for (let start = 0; start === 0 || start < file.size; start += PIECE) {
      const piece = await file.slice(start, start + PIECE).arrayBuffer();
      model.send({ name: file.name, begins: start === 0, ends: start + PIECE >= file.size }, undefined, [piece]);
    }
  }
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = "";  // the same file can be chosen again
    if (file) take(file);
  });
}

export default { render };
