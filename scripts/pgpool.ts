import { startDaemon } from "./daemon";
import { freePort } from "./postgres";

/** A pgpool-II of this process's own, on the loopback interface. */
export interface Pgpool {
  url: string;
  /** Ends pgpool-II and removes its files. An exit of the process does it too. */
  stop(): Promise<void>;
}

/** Starts pgpool-II before a primary and its standby. The standby answers whatever may be read there. */
export async function startPgpool(primaryUrl: string, standbyUrl: string): Promise<Pgpool> {
  const port = await freePort();
  const pcpPort = await freePort();
  const configuration = (folder: string) =>
    Object.entries({
      listen_addresses: "127.0.0.1",
      port,
      pcp_listen_addresses: "127.0.0.1",
      pcp_port: pcpPort,
      socket_dir: folder,
      pcp_socket_dir: folder,
      pid_file_name: `${folder}/pid`,
      logdir: folder,
      backend_clustering_mode: "streaming_replication",
      backend_hostname0: "127.0.0.1",
      backend_port0: new URL(primaryUrl).port,
      backend_weight0: 0,
      backend_hostname1: "127.0.0.1",
      backend_port1: new URL(standbyUrl).port,
      backend_weight1: 1,
      sr_check_user: "postgres",
    });
  const stop = await startDaemon({
    program: "pgpool",
    files: (folder) => ({
      "pgpool.conf": configuration(folder)
        .map(([name, value]) => `${name} = '${value}'\n`)
        .join(""),
      "pcp.conf": "",
      "pool_hba.conf": "",
    }),
    args: ["-n", "-f", "pgpool.conf", "-F", "pcp.conf", "-a", "pool_hba.conf"],
    ready: "node status[1]",
  });
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, stop };
}
