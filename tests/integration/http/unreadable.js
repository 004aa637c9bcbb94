// What cannot be read or is not named on the page, with everything unfolded: the contrasts are those of WCAG 2.2 AA.
() => {
  const TEXT = 4.5, EDGE = 3, found = [];
  const parse = text => text.match(/[\d.]+/g).map(Number);
  const linear = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const contrast = (one, two) => {
    const [dark, bright] = [luminance(parse(one)), luminance(two)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const [red, green, blue, alpha = 1] = parse(getComputedStyle(element).backgroundColor);
      if (alpha) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  document.querySelectorAll("details").forEach(each => { each.open = true; });
  for (const element of document.querySelectorAll("body *")) {
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element), paper = behind(element);
    const complain = why => found.push(`${why}: ${element.outerHTML.slice(0, 80)}`);
    const written = [...element.childNodes].some(child => child.nodeType === Node.TEXT_NODE && child.data.trim());
    if (written && contrast(style.color, paper) < TEXT) complain("faint text");
    if (element.matches("input, textarea, select, button")) {
      if (!element.labels?.length && !element.ariaLabel && !element.textContent.trim()) complain("no name");
      if (element.matches("button")) continue;
      if (contrast(style.borderTopColor, paper) < EDGE) complain("faint edge");
      if (contrast(getComputedStyle(element, "::placeholder").color, paper) < TEXT) complain("faint placeholder");
    }
  }
  return found;
}
