/** Answers that most scenes share; a scene overrides what it tells differently. */
import type { HostHandler, Scene } from "./scene";

export const commonAnswers: NonNullable<Scene["answers"]> = {
  status: (_, world) => world.status,
  folder_list: (_, world) => world.status.folders,
  supplier_list: (_, world) => world.status.suppliers,
  history: ({ before, severity, text }, world) => {
    const louder = { note: 0, warning: 1, problem: 2 };
    const lines = world.status.notices.filter((line) => (before === null || line.number < before) && (severity === null || louder[line.severity] >= louder[severity]) && (text === null || line.message.includes(text)));
    return { lines, more: false, count: lines.length };
  },
  phrase_check: ({ phrase }, world) => {
    const isRight = phrase.trim().split(/\s+/).length === 24 && !phrase.includes("wrong");
    if (isRight) world.setStatus({ phrase_confirmed: true });
    return isRight;
  },
  backup: () => 7,
  verify: () => 8,
  cancel: ({ job }, world) => world.setStatus({ jobs: world.status.jobs.filter((other) => other.id !== job) }),
};

const viewed: HostHandler<"state"> = (_, world) => world.host;

export const commonHostAnswers: NonNullable<Scene["hostAnswers"]> = {
  state: viewed,
  retry: (_, world) => world.host,
};
