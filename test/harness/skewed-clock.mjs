/** Preloaded into a service whose clock is wrong: SALLYPORT_TEST_CLOCK_MS is added to every wall-clock time that it reads. */
const skewMs = Number(process.env.SALLYPORT_TEST_CLOCK_MS ?? 0);
const RealDate = Date;
const now = () => RealDate.now() + skewMs;
globalThis.Date = class Date extends RealDate {
  constructor(...given) {
    super(...(given.length === 0 ? [now()] : given));
  }
  static now() {
    return now();
  }
};
