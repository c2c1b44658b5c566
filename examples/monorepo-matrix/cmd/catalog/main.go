// Command catalog lists the products.
package main

import "example.com/shop/internal/service"

func main() {
	service.Main("catalog", []service.Item{{Name: "apple", Cents: 30}, {Name: "pear", Cents: 40}})
}
