// What every stand-in says when it runs in a page.
var here = document.currentScript;

function ready(f) {
  if (document.body) { f(); } else { document.addEventListener("DOMContentLoaded", f); }
}

function announce(name, cookies) {
  (cookies || []).forEach(function (c) { document.cookie = c + "; path=/; max-age=63072000"; });
  ready(function () {
    var list = document.getElementById("stand-ins");
    if (!list) {
      list = document.createElement("ul");
      list.id = "stand-ins";
      list.style.cssText = "position:fixed;right:1rem;bottom:1rem;z-index:9;margin:0;padding:.75rem 1rem;max-width:22rem;" +
        "list-style:none;font:.85rem/1.5 system-ui,sans-serif;color:#5b2312;background:#fdeee8;border:2px solid #d9502e;border-radius:.5rem";
      document.body.appendChild(list);
    }
    var item = document.createElement("li");
    var set = (cookies || []).map(function (c) { return c.split("=")[0]; });
    item.textContent = name + " was called" + (set.length ? " and set " + set.join(", ") : "");
    list.appendChild(item);
  });
}

function embed(place, url, height) {
  ready(function () {
    var frame = document.createElement("iframe");
    frame.src = url;
    frame.style.cssText = "width:100%;border:0;height:" + height + "px";
    if (place.tagName === "SCRIPT") { place.after(frame); } else { place.appendChild(frame); }
  });
}

function popup(text) {
  ready(function () {
    var box = document.createElement("p");
    box.textContent = text;
    box.style.cssText = "position:fixed;left:1rem;bottom:1rem;z-index:9;margin:0;padding:1rem 1.5rem;max-width:18rem;" +
      "font:1rem/1.5 system-ui,sans-serif;background:#ffe01b;border-radius:.5rem;box-shadow:0 4px 24px #0004";
    document.body.appendChild(box);
  });
}
