/**
 * Writes ONNX files. The format is small: ModelProto {ir_version 1, producer 2, graph 7, opset 8}, GraphProto {node 1, name 2,
 * initializer 5, input 11, output 12}, NodeProto {input 1, output 2, op_type 4, attribute 5, domain 7}, AttributeProto {name 1,
 * f 2, i 3, s 4, g 6, floats 7, ints 8, strings 9, type 20}, TensorProto {dims 1, data_type 2, name 8, raw_data 9}.
 * Source: onnx.proto3 of ONNX 1.17. Nothing that varies between runs or machines is written, so equal models are equal bytes.
 */

import {
  ATTRIBUTE_TYPES,
  type Attribute,
  ELEMENT_CODES,
  type Graph,
  type Node,
  type OnnxModel,
  type TensorConstant,
  type ValueDeclaration,
} from "./model.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** The version of the file format that came with opset 17. */
const IR_VERSION = 8;
const PRODUCER = "edgebook";

/** @returns the bytes of an .onnx file. Throws where data and shape of a constant disagree. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const writer = new ProtobufWriter();
  writer.integer(1, IR_VERSION);
  writer.text(2, PRODUCER);
  writer.message(7, (nested) => writeGraph(nested, model.graph));
  for (const [domain, version] of [["", model.opset] as const, ...Object.entries(model.domains ?? {})]) {
    writer.message(8, (nested) => {
      nested.text(1, domain);
      nested.integer(2, version);
    });
  }
  return writer.finish();
}

function writeGraph(writer: ProtobufWriter, graph: Graph): void {
  for (const node of graph.nodes) writer.message(1, (nested) => writeNode(nested, node));
  writer.text(2, graph.name);
  for (const constant of graph.constants) writer.message(5, (nested) => writeTensor(nested, constant));
  for (const input of graph.inputs) writer.message(11, (nested) => writeValue(nested, input));
  for (const output of graph.outputs) writer.message(12, (nested) => writeValue(nested, output));
}

function writeNode(writer: ProtobufWriter, node: Node): void {
  for (const input of node.inputs) writer.text(1, input);
  for (const output of node.outputs) writer.text(2, output);
  writer.text(4, node.operator);
  for (const [name, attribute] of Object.entries(node.attributes)) writer.message(5, (nested) => writeAttribute(nested, name, attribute));
  if (node.domain !== "") writer.text(7, node.domain);
}

function writeAttribute(writer: ProtobufWriter, name: string, attribute: Attribute): void {
  writer.text(1, name);
  if ("float" in attribute) {
    writer.float(2, attribute.float);
    writer.integer(20, ATTRIBUTE_TYPES.float);
  } else if ("int" in attribute) {
    writer.integer(3, attribute.int);
    writer.integer(20, ATTRIBUTE_TYPES.int);
  } else if ("text" in attribute) {
    writer.text(4, attribute.text);
    writer.integer(20, ATTRIBUTE_TYPES.text);
  } else if ("graph" in attribute) {
    writer.message(6, (nested) => writeGraph(nested, attribute.graph));
    writer.integer(20, ATTRIBUTE_TYPES.graph);
  } else if ("floats" in attribute) {
    for (let index = 0; index < attribute.floats.length; index++) writer.float(7, attribute.floats[index] as number);
    writer.integer(20, ATTRIBUTE_TYPES.floats);
  } else if ("texts" in attribute) {
    for (const value of attribute.texts) writer.text(9, value);
    writer.integer(20, ATTRIBUTE_TYPES.texts);
  } else {
    for (let index = 0; index < attribute.ints.length; index++) writer.integer(8, attribute.ints[index] as number);
    writer.integer(20, ATTRIBUTE_TYPES.ints);
  }
}

function writeTensor(writer: ProtobufWriter, tensor: TensorConstant): void {
  const elements = tensor.shape.reduce((product, size) => product * size, 1);
  if (tensor.data.length !== elements) {
    throw new RangeError(`constant ${tensor.name}: ${tensor.data.length} numbers for the shape [${tensor.shape.join(", ")}]`);
  }
  for (const size of tensor.shape) writer.integer(1, size);
  writer.integer(2, ELEMENT_CODES[tensor.type]);
  writer.text(8, tensor.name);
  writer.blob(9, new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
}

/** ValueInfoProto {name 1, type 2 {tensor 1 {elem_type 1, shape 2 {dim 1 {value 1, param 2}}}}} */
function writeValue(writer: ProtobufWriter, value: ValueDeclaration): void {
  writer.text(1, value.name);
  writer.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.integer(1, ELEMENT_CODES[value.type]);
      tensor.message(2, (shape) => {
        for (const size of value.shape) {
          shape.message(1, (dimension) => (typeof size === "number" ? dimension.integer(1, size) : dimension.text(2, size)));
        }
      });
    }),
  );
}
