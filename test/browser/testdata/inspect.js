// What a person gets to see of the page, as it is laid out now: how high it is as it comes, and,
// with all folds opened, the visible text of its parts, what sticks out to the right, and text that is hard to tell from what
// is behind it (under 4.5:1, WCAG 2.1, 1.4.3).
(() => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = channels(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const contrast = (element) => {
    const [dark, light] = [channels(getComputedStyle(element).color), behind(element)]
      .map(luminance).sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  const root = document.documentElement;
  const height = root.scrollHeight;
  const folded = [...document.querySelectorAll("details:not([open])")];
  for (const fold of folded) fold.open = true;
  const width = root.clientWidth;
  const faint = [];
  const wide = [];
  for (const element of document.body.querySelectorAll("*")) {
    const says = [...element.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
    if (says && contrast(element) < 4.5) faint.push(element.outerHTML.slice(0, 120) + " " + contrast(element).toFixed(2));
    // A block of JSON scrolls by itself.
    const inside = element.parentElement.closest("pre");
    if (element.closest("thead") && getComputedStyle(element.closest("thead")).display === "none") continue;
    if (!inside && element.getBoundingClientRect().right > width + 0.5) wide.push(element.outerHTML.slice(0, 120));
    if (says && !inside && element.tagName !== "PRE" && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0) wide.push(element.outerHTML.slice(0, 120));
  }
  if (document.documentElement.scrollWidth > width) wide.push("the page");
  // innerText alone also tells what is in an element that is not shown.
  const text = (e) => (e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) ? e.innerText : "");
  const texts = (root, selector) => [...root.querySelectorAll(selector)].map(text);
  const node = (e) => ({
    name: text(e.querySelector(".name")),
    verdict: text(e.querySelector(".verdict")),
    text: text(e),
  });
  const map = [...document.querySelectorAll(".map:not(.heads)")].map((m) => ({
    bucket: node(m.querySelector(".sink")),
    trails: [...m.querySelectorAll(".lane")].map(node),
  }));
  const rows = [...document.querySelectorAll("#buckets tbody tr")].map((r) => texts(r, "td"));
  const causes = texts(document, "#causes .finding");
  const diffs = [...document.querySelectorAll(".bucket")].map((b) => ({
    bucket: text(b.querySelector("summary .name")),
    diff: texts(b, ".diff").join("\n"),
  }));
  const all = text(document.body);
  for (const fold of folded) fold.open = false;
  return { text: all, height, map, rows, causes, diffs, faint, wide };
})()
