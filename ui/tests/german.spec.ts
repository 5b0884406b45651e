import { checkAccess, open, picture, test } from "./harness";

const VIEWS = [
  { scene: "standing-still", route: "/overview" },
  { scene: "suppliers-suspect", route: "/suppliers" },
  { scene: "suppliers-none", route: "/suppliers" },
  { scene: "space-used", route: "/space" },
  { scene: "activity-100k", route: "/activity" },
  { scene: "machines-live", route: "/machines/supplier-link" },
  { scene: "settings-odd", route: "/settings" },
  { scene: "settings", route: "/settings/network" },
  { scene: "settings", route: "/settings/backup" },
  { scene: "restore-many-versions", route: "/restore" },
  { scene: "restore-several-folders", route: "/restore/everything" },
];

for (const { scene, route } of VIEWS) {
  test(`${scene} at ${route} fits in German`, async ({ page }) => {
    await open(page, { scene, route, language: "de", width: 800 });
    await checkAccess(page);
    await picture(page, `german-${scene}${route.replaceAll("/", "-")}`);
  });
}
