/** A type with its readonly marks taken off at every depth, so that two ways to write the same shape become the same type. */
type Plain<T> = T extends readonly (infer Item)[] ? Plain<Item>[] : T extends object ? { -readonly [Key in keyof T]: Plain<T[Key]> } : T;

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- comparing generic signatures is how the compiler tells identical types
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/**
 * True when schema and interface say the same, optional members included. `const x: Describes<A, B> = true` does not compile
 * once one of them has moved without the other.
 */
export type Describes<Interface, Schema> = Same<Plain<Interface>, Plain<Schema>>;
