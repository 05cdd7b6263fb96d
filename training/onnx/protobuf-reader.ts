/**
 * Protocol Buffers wire format, reading side: yields the fields of one message, in order. Refuses (throws) a message that ends inside a field
 * or uses a wire type that ONNX does not have; lengths are checked before anything is read.
 */

export type ProtobufField = { field: number; integer: bigint } | { field: number; bytes: Uint8Array } | { field: number; fixed32: number };

/** A file that is not what its name says. */
export class MalformedProtobuf extends Error {
  override readonly name = "MalformedProtobuf";
}

/** The fields of the message in `bytes`. Nested messages come as bytes, to be read by another call. */
export function* readFields(bytes: Uint8Array): Generator<ProtobufField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new MalformedProtobuf("the message ends inside a varint");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new MalformedProtobuf(`a varint of more than ten bytes at ${at}`);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { field, integer: BigInt.asIntN(64, varint()) };
        break;
      case 2: {
        const length = Number(varint());
        if (at + length > bytes.length) throw new MalformedProtobuf(`field ${field} claims ${length} bytes of ${bytes.length - at}`);
        yield { field, bytes: bytes.subarray(at, at + length) };
        at += length;
        break;
      }
      case 5:
        if (at + 4 > bytes.length) throw new MalformedProtobuf(`the message ends inside field ${field}`);
        yield { field, fixed32: view.getFloat32(at, true) };
        at += 4;
        break;
      default:
        throw new MalformedProtobuf(`wire type ${tag % 8} at field ${field}`);
    }
  }
}
