/**
 * An ONNX model as plain data: what the encoder writes and the decoder gives back.
 * Names follow onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3), which also gives the field numbers in encode.ts.
 */

export type ElementType = "float32" | "float64" | "int32" | "int64" | "bool";
export type TypedData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** TensorProto.DataType */
export const ELEMENT_CODES: Readonly<Record<ElementType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 };

/** A constant: weights, shapes, axes. `data` is row-major. */
export interface TensorConstant {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: TypedData;
}

/** A named input or output of a graph. A text in the shape is a dimension that the caller chooses, e.g. "batch". */
export interface ValueDeclaration {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

export type Attribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly ints: ArrayLike<number> }
  | { readonly floats: ArrayLike<number> }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly graph: Graph };

/** AttributeProto.AttributeType */
export const ATTRIBUTE_TYPES = { float: 1, int: 2, text: 3, graph: 5, floats: 6, ints: 7, texts: 8 } as const;

export interface Node {
  readonly operator: string;
  /** "" is ONNX's own; "com.microsoft" and "ai.onnx.ml" are the others in use. */
  readonly domain: string;
  /** "" stands for an optional input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly constants: readonly TensorConstant[];
  readonly inputs: readonly ValueDeclaration[];
  readonly outputs: readonly ValueDeclaration[];
}

export interface OnnxModel {
  readonly graph: Graph;
  /** Version of ONNX's own operators. */
  readonly opset: number;
  /** Versions of the operators of other domains, e.g. DOMAINS; left out where only ONNX's own are used. */
  readonly domains?: Readonly<Record<string, number>>;
}

/** The operator set that everything here is written for; onnxruntime 1.13 and newer have it. */
export const OPSET = 17;

/** What a model that uses them names in `domains`: tree ensembles and linear lines of ONNX's ml part, onnxruntime's own fused operators. */
export const DOMAINS = { "ai.onnx.ml": 3, "com.microsoft": 1 } as const;
