// init(): opens the device, and gives the tensors on it their operations.
import { type Device, type InitOptions, openDevice } from "./gpu/device.ts";
import { provideMethods } from "./methods.ts";

/**
 * Opens a WebGPU adapter and makes its device the one that new tensors live on.
 * Asks for the adapter's own limits and for subgroups, f16 and timestamps where it has them.
 * @throws DeviceError where there is no adapter, or none of the kind asked for.
 */
export function init(options: InitOptions = {}): Promise<Device> {
  provideMethods();
  return openDevice(options);
}
