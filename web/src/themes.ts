// The themes that can be chosen, as menus show them.
import type { Theme } from "./theme.ts";
import type { IconName } from "./ui/icon.tsx";

export const themes: { value: Theme; title: string; icon: IconName }[] = [
  { value: "system", title: "As the system", icon: "system" },
  { value: "light", title: "Light", icon: "sun" },
  { value: "dark", title: "Dark", icon: "moon" },
];
