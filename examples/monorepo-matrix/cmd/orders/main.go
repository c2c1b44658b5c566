// Command orders lists the orders.
package main

import "example.com/shop/internal/service"

func main() {
	service.Main("orders", []service.Item{{Name: "apple", Cents: 90}})
}
