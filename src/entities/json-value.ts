/** What a column of type jsonb holds. `object` stands for arrays and objects, so that interfaces of your own fit. */
export type JsonValue = string | number | boolean | object | null;
