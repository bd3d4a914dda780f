// Beside textual-serve's own script, which must come first.

addEventListener("load", () => {
  document.querySelector(".xterm-helper-textarea")?.focus();
});

// Ctrl+W deletes a word in the composer, but the browser closes the tab for it.
addEventListener("beforeunload", (event) => {
  if (!document.body.classList.contains("-closed")) {
    event.preventDefault();
  }
});
