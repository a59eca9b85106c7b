// A process of its own that downloads: URL, file and sha256 are its arguments.
import { download } from "../../src/node/download.ts";

const [url = "", dest = "", sha256 = ""] = process.argv.slice(2);
await download(url, dest, { sha256 });
console.log("downloaded");
