"use strict";
(() => {
  const widths = new ResizeObserver((seen) => {
    for (const { target } of seen) target.classList.toggle("slides", target.scrollWidth > target.clientWidth + 1);
  });
  for (const part of document.querySelectorAll(".scroll")) widths.observe(part);

  const form = document.getElementById("filter");
  for (const part of document.querySelectorAll(".scripted")) part.hidden = false;
  if (!form) return;
  const body = document.querySelector("#documents tbody"), output = form.querySelector("output");
  const rows = Array.from(body.rows, (row) => {
    const [text, label, ...answers] = row.cells;
    return {
      row,
      text: text.textContent.toLowerCase(),
      label: label.textContent,
      wrong: answers.map((cell) => (cell.className === "x" ? parseInt(cell.textContent.slice(2), 10) : -1)),
    };
  });
  const fields = form.elements;

  const show = () => {
    const text = fields.text.value.trim().toLowerCase(), label = fields.label.value, least = Number(fields.least.value);
    const [wrong, right] = [fields.wrong, fields.right].map((field) => (field.value === "" ? null : Number(field.value)));
    const confidence = (one) => (wrong === null ? Math.max(...one.wrong) : one.wrong[wrong]);
    let count = 0;
    for (const one of rows) {
      const hit = one.text.includes(text) && (!label || one.label === label) && confidence(one) >= Math.max(least, 0)
        && (right === null || one.wrong[right] < 0);
      one.row.hidden = !hit;
      count += hit;
    }
    const order = wrong === null ? rows : [...rows].sort((a, b) => b.wrong[wrong] - a.wrong[wrong]);
    body.append(...order.map((one) => one.row));
    output.textContent = `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} documents`;
  };

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  for (const cell of document.querySelectorAll("#alone td[data-right]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = cell.textContent;
    button.addEventListener("click", () => {
      form.reset();
      fields.right.value = cell.dataset.right;
      fields.wrong.value = cell.dataset.wrong;
      show();
      form.scrollIntoView();
    });
    cell.replaceChildren(button);
  }
  const reveal = () => {
    const row = location.hash.startsWith("#d-") && document.getElementById(location.hash.slice(1));
    if (row && row.hidden) { form.reset(); show(); row.scrollIntoView(); }
  };
  window.addEventListener("hashchange", reveal);
  show();
})();
