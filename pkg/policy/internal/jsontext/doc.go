// Package jsontext reads JSON so that it can be edited without loss. It knows
// nothing of what the JSON is about.
//
// A program that decodes a text and encodes it again loses what people notice:
// the order of members, white space, "1.0" beside "1", names that stand twice.
// Here a text is read into nodes that know their place in it, and an edit cuts
// out and puts in bytes at such places. Whatever is not edited keeps its bytes.
// What is put in takes on the layout of its neighbours, as far as they show one.
//
// Nodes belong to the text that they were read from: the functions that take
// both rely on it. After an edit the new text is to be parsed anew, because
// places have moved.
package jsontext
