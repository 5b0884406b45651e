/** Whether the mock may be loaded; a constant of the build. */
declare const __MOCK__: boolean;
