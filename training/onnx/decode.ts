/**
 * Reads back the ONNX files that encode.ts writes: to check shapes before a model is trusted, and to look inside one.
 * It reads what this project emits, not all of ONNX: a field it doesn't know is passed over, an element type it doesn't know is refused.
 */

import {
  ATTRIBUTE_TYPES,
  type Attribute,
  ELEMENT_CODES,
  type ElementType,
  type Graph,
  type Node,
  type OnnxModel,
  type TensorConstant,
  type TypedData,
  type ValueDeclaration,
} from "./model.ts";
import { MalformedProtobuf, type ProtobufField, readFields } from "./protobuf-reader.ts";

const decoder = new TextDecoder();

/** @returns the model in `bytes`. Throws MalformedProtobuf when they are not one. */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  let graph: Graph | null = null;
  let opset = 0;
  const domains: [string, number][] = [];
  for (const field of readFields(bytes)) {
    if (field.field === 7) graph = readGraph(blobOf(field));
    if (field.field !== 8) continue;
    const { domain, version } = readOpset(blobOf(field));
    if (domain === "") opset = version;
    else domains.push([domain, version]);
  }
  if (graph === null) throw new MalformedProtobuf("no graph in this file");
  return { graph, opset, domains: Object.fromEntries(domains) };
}

function readOpset(bytes: Uint8Array): { domain: string; version: number } {
  let domain = "";
  let version = 0;
  for (const field of readFields(bytes)) {
    if (field.field === 1) domain = textOf(field);
    if (field.field === 2) version = integerOf(field);
  }
  return { domain, version };
}

function readGraph(bytes: Uint8Array): Graph {
  const nodes: Node[] = [];
  const constants: TensorConstant[] = [];
  const inputs: ValueDeclaration[] = [];
  const outputs: ValueDeclaration[] = [];
  let name = "";
  for (const field of readFields(bytes)) {
    if (field.field === 1) nodes.push(readNode(blobOf(field)));
    if (field.field === 2) name = textOf(field);
    if (field.field === 5) constants.push(readTensor(blobOf(field)));
    if (field.field === 11) inputs.push(readValue(blobOf(field)));
    if (field.field === 12) outputs.push(readValue(blobOf(field)));
  }
  return { name, nodes, constants, inputs, outputs };
}

function readNode(bytes: Uint8Array): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Record<string, Attribute> = {};
  let operator = "";
  let domain = "";
  for (const field of readFields(bytes)) {
    if (field.field === 1) inputs.push(textOf(field));
    if (field.field === 2) outputs.push(textOf(field));
    if (field.field === 4) operator = textOf(field);
    if (field.field === 5) {
      const { name, attribute } = readAttribute(blobOf(field));
      attributes[name] = attribute;
    }
    if (field.field === 7) domain = textOf(field);
  }
  return { operator, domain, inputs, outputs, attributes };
}

function readAttribute(bytes: Uint8Array): { name: string; attribute: Attribute } {
  const ints: number[] = [];
  const floats: number[] = [];
  const texts: string[] = [];
  let attribute: Attribute = { ints };
  let name = "";
  for (const field of readFields(bytes)) {
    if (field.field === 1) name = textOf(field);
    if (field.field === 2) attribute = { float: floatOf(field) };
    if (field.field === 3) attribute = { int: integerOf(field) };
    if (field.field === 4) attribute = { text: textOf(field) };
    if (field.field === 6) attribute = { graph: readGraph(blobOf(field)) };
    if (field.field === 7) floats.push(floatOf(field));
    if (field.field === 8) ints.push(integerOf(field));
    if (field.field === 9) texts.push(textOf(field));
    if (field.field === 20) attribute = listOf(integerOf(field), { floats, texts }) ?? attribute;
  }
  return { name, attribute };
}

/** A list may be empty, so only its type tells floats, texts and ints apart; null for the other types. */
function listOf(type: number, lists: { floats: number[]; texts: string[] }): Attribute | null {
  if (type === ATTRIBUTE_TYPES.floats) return { floats: lists.floats };
  return type === ATTRIBUTE_TYPES.texts ? { texts: lists.texts } : null;
}

function readTensor(bytes: Uint8Array): TensorConstant {
  const shape: number[] = [];
  let name = "";
  let type: ElementType = "float32";
  let raw = new Uint8Array(0);
  for (const field of readFields(bytes)) {
    if (field.field === 1) shape.push(integerOf(field));
    if (field.field === 2) type = elementTypeOf(integerOf(field));
    if (field.field === 8) name = textOf(field);
    if (field.field === 9) raw = blobOf(field).slice();
  }
  const data = viewAs(type, raw);
  const elements = shape.reduce((product, size) => product * size, 1);
  if (data.length !== elements) throw new MalformedProtobuf(`constant ${name}: ${data.length} numbers for the shape [${shape.join(", ")}]`);
  return { name, type, shape, data };
}

function readValue(bytes: Uint8Array): ValueDeclaration {
  let name = "";
  let type: ElementType = "float32";
  const shape: (number | string)[] = [];
  for (const field of readFields(bytes)) {
    if (field.field === 1) name = textOf(field);
    if (field.field !== 2) continue;
    for (const tensor of readFields(firstBlob(blobOf(field), 1))) {
      if (tensor.field === 1) type = elementTypeOf(integerOf(tensor));
      if (tensor.field === 2) shape.push(...readShape(blobOf(tensor)));
    }
  }
  return { name, type, shape };
}

function readShape(bytes: Uint8Array): (number | string)[] {
  return [...readFields(bytes)].map((dimension) => {
    const [size] = [...readFields(blobOf(dimension))];
    if (size === undefined) throw new MalformedProtobuf("a dimension without size or name");
    return size.field === 1 ? integerOf(size) : textOf(size);
  });
}

function viewAs(type: ElementType, raw: Uint8Array<ArrayBuffer>): TypedData {
  const { buffer } = raw;
  const width = { float32: 4, float64: 8, int32: 4, int64: 8, bool: 1 }[type];
  if (buffer.byteLength % width !== 0) throw new MalformedProtobuf(`${buffer.byteLength} bytes are no ${type} data`);
  switch (type) {
    case "float32":
      return new Float32Array(buffer);
    case "float64":
      return new Float64Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "int64":
      return new BigInt64Array(buffer);
    case "bool":
      return new Uint8Array(buffer);
  }
}

function elementTypeOf(code: number): ElementType {
  for (const type of Object.keys(ELEMENT_CODES) as ElementType[]) if (ELEMENT_CODES[type] === code) return type;
  throw new MalformedProtobuf(`element type ${code} is not one that is used here`);
}

function firstBlob(bytes: Uint8Array, number: number): Uint8Array {
  for (const field of readFields(bytes)) if (field.field === number) return blobOf(field);
  throw new MalformedProtobuf(`field ${number} is missing`);
}

function blobOf(field: ProtobufField): Uint8Array {
  if ("bytes" in field) return field.bytes;
  throw new MalformedProtobuf(`field ${field.field} holds a number where bytes belong`);
}

function textOf(field: ProtobufField): string {
  return decoder.decode(blobOf(field));
}

function floatOf(field: ProtobufField): number {
  if ("fixed32" in field) return field.fixed32;
  throw new MalformedProtobuf(`field ${field.field} holds no float`);
}

function integerOf(field: ProtobufField): number {
  if ("integer" in field) return Number(field.integer);
  throw new MalformedProtobuf(`field ${field.field} holds no integer`);
}
