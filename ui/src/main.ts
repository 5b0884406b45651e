/** Sets the backend and shows the window. */
// First, so that the order of the layers is known before any part has a style.
import "./styles/tokens.css";
import "./styles/base.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { useBackend } from "./backend/backend";

if (__MOCK__ && !("__TAURI_INTERNALS__" in window)) {
  const { openMock } = await import("./backend/scenes/all");
  useBackend(openMock(new URLSearchParams(location.search).get("scene") ?? "protected"));
} else {
  const { tauriBackend } = await import("./backend/tauri");
  useBackend(tauriBackend());
}

const target = document.getElementById("app");
if (target !== null) mount(App, { target });
