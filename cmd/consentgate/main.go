// Command consentgate is a reverse proxy that keeps every tracker away from a
// visitor until that visitor says yes.
package main

func main() {}
