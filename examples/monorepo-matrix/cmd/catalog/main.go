// Command catalog lists what can be bought.
package main

import "example.com/shop/internal/service"

func main() {
	service.Main("catalog", []service.Item{{Name: "apple", Cents: 30}, {Name: "pear", Cents: 40}})
}
