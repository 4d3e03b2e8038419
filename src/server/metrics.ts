// Numbers for whoever runs the server (Prometheus text). Counts and times only: nothing of what was said.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Counter<'route' | 'status'>;
  readonly #jobs: Counter<'outcome'>;
  readonly #jobSeconds: Histogram;
  readonly #audioSeconds: Counter;
  readonly #openJobs: Gauge;
  readonly #engineDeaths: Counter;
  readonly #modelsLoaded: Gauge;

  constructor() {
    const registers = [this.registry];
    this.#requests = new Counter({
      name: 'sotto_requests_total',
      help: 'HTTP requests by route and status',
      labelNames: ['route', 'status'],
      registers,
    });
    this.#jobs = new Counter({
      name: 'sotto_jobs_total',
      help: 'Recordings by how their reading ended',
      labelNames: ['outcome'],
      registers,
    });
    this.#jobSeconds = new Histogram({
      name: 'sotto_job_seconds',
      help: 'From a job to its last word, waiting included',
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
      registers,
    });
    this.#audioSeconds = new Counter({
      name: 'sotto_audio_seconds_total',
      help: 'Seconds of audio read',
      registers,
    });
    this.#openJobs = new Gauge({
      name: 'sotto_jobs_open',
      help: 'Recordings waiting or being read',
      registers,
    });
    this.#engineDeaths = new Counter({
      name: 'sotto_engine_deaths_total',
      help: 'Engine processes that died',
      registers,
    });
    this.#modelsLoaded = new Gauge({ name: 'sotto_models_loaded', help: 'Models in memory', registers });
    collectDefaultMetrics({ register: this.registry });
  }

  requestDone(route: string, status: number): void {
    this.#requests.inc({ route, status });
  }

  /** Call what is returned with how the job ended. */
  jobStarted(): (outcome: string) => void {
    this.#openJobs.inc();
    const stop = this.#jobSeconds.startTimer();
    return (outcome) => {
      this.#openJobs.dec();
      this.#jobs.inc({ outcome });
      stop();
    };
  }

  audioRead(seconds: number): void {
    this.#audioSeconds.inc(seconds);
  }

  engineDied(): void {
    this.#engineDeaths.inc();
  }

  modelLoaded(): void {
    this.#modelsLoaded.inc();
  }

  modelUnloaded(): void {
    this.#modelsLoaded.dec();
  }
}
