package sample

// topic is what a customer may want: how they ask, what the assistant looks
// up, which tool it calls, and what it answers.
type topic struct {
	name      string
	opening   []string // the first message; %s is an order number
	followUps []string
	documents []string // what the search finds
	tool      string
	toolArgs  []string // argument names; the order number is always there
	result    string   // what the tool gives
	answers   []string
}

// topics is the world of the sample: the support desk of an invented shop for
// bicycles and their parts.
func topics() []topic {
	return []topic{
		{
			name: "delivery",
			opening: []string{
				"Hi, where is my order %s? It was meant to arrive on Tuesday.",
				"Tracking for %s has not moved for three days. Is it lost?",
				"Can you tell me when %s will be delivered? I need the bike for a trip this weekend.",
			},
			followUps: []string{"Can it go to a pick-up point instead?", "Will I get a message before the driver comes?", "And if nobody is home?"},
			documents: []string{"Delivery times by region", "What to do when tracking stands still", "Pick-up points and opening hours"},
			tool:      "get_shipment", toolArgs: []string{"include_events"},
			result: `{"carrier":"Nordpost","status":"in_transit","last_scan":"sorting centre","eta_days":2}`,
			answers: []string{
				"I had a look: your parcel left our sorting centre and should reach you in two days. You will get a text message one hour before the driver arrives.",
				"It is on its way. The last scan was at the sorting centre; the carrier expects delivery in two days. I can move it to a pick-up point if that suits you better.",
			},
		},
		{
			name: "refund",
			opening: []string{
				"I sent back %s two weeks ago and still have no refund.",
				"The helmet from order %s does not fit. How do I get my money back?",
				"Please refund %s, the wrong pedals were in the box.",
			},
			followUps: []string{"How long does the bank take?", "Can I have a voucher instead?", "Do I pay for the return label?"},
			documents: []string{"Returns within 30 days", "How refunds are paid out", "Return labels"},
			tool:      "get_refund_status", toolArgs: []string{"customer_verified"},
			result: `{"refund":"approved","amount":64.9,"currency":"EUR","paid_out":false}`,
			answers: []string{
				"Your refund of 64.90 EUR is approved. It goes back to the card you paid with and usually shows up within three working days.",
				"Sorry for the wait. The return was checked in and 64.90 EUR are on their way to you; banks take up to three working days.",
			},
		},
		{
			name: "gears",
			opening: []string{
				"The chain on my new bike (order %s) skips in the two smallest sprockets. Can I fix this myself?",
				"Since the first ride my rear derailleur rattles. Order number is %s.",
			},
			followUps: []string{"Which way do I turn the barrel adjuster?", "I did that and it is better, but not gone.", "Is that covered by the warranty?"},
			documents: []string{"Indexing a rear derailleur", "Cable stretch in the first 200 km", "First service: what is included"},
			tool:      "get_order", toolArgs: []string{"with_items"},
			result: `{"items":[{"sku":"GRV-54-BLK","name":"Gravel bike 54 cm"}],"warranty_until":"2027-03"}`,
			answers: []string{
				"That is usually cable stretch, which is normal in the first weeks. Shift to the smallest sprocket and turn the barrel adjuster half a turn towards you, then try again. Repeat until it runs quietly.",
				"Good news: your bike is under warranty and the first service is free. If half a turn on the barrel adjuster does not help, I can book you an appointment.",
			},
		},
		{
			name: "battery",
			opening: []string{
				"My e-bike battery shows 40%% after one night on the charger. Order %s.",
				"How cold may it be when I charge the battery of %s in the shed?",
			},
			followUps: []string{"The light blinks red twice.", "Can I buy a second battery?", "Is it safe to leave it plugged in?"},
			documents: []string{"Charging below 5 °C", "Reading the status light", "Battery warranty"},
			tool:      "run_battery_check", toolArgs: []string{"serial"},
			result: `{"cycles":112,"health_percent":93,"last_error":"charge_paused_low_temperature"}`,
			answers: []string{
				"The check says your battery is healthy (93 % after 112 cycles). It stopped charging because it was too cold: bring it inside, wait an hour, and charge it there.",
				"Two red blinks mean that charging was paused because of low temperature. Nothing is broken. Please charge between 5 and 40 °C.",
			},
		},
		{
			name: "size",
			opening: []string{
				"I am 1.74 m with an inseam of 80 cm. Is 54 the right frame for the bike in %s?",
				"Can I still change the frame size of order %s?",
			},
			followUps: []string{"I prefer to sit upright.", "What about the women's model?", "Is the stem adjustable?"},
			documents: []string{"Frame sizes by inseam", "Changing an order before it ships"},
			tool:      "get_order", toolArgs: []string{"with_items"},
			result: `{"status":"not_shipped","items":[{"sku":"CTY-54-GRN","name":"City bike 54 cm"}]}`,
			answers: []string{
				"With an inseam of 80 cm the 54 fits well. If you like to sit upright, the 52 with a longer stem is an option too. Your order has not shipped, so I can still change it.",
				"Your order has not left the warehouse. I have noted size 52 for you; nothing else changes.",
			},
		},
		{
			name: "invoice",
			opening: []string{
				"I need the invoice for %s with our company address on it.",
				"Our leasing partner asks for the frame number of the bike in %s.",
			},
			followUps: []string{"Can you send it as a PDF?", "Our VAT number is missing.", "Thanks, that was quick."},
			documents: []string{"Changing the address on an invoice", "Leasing: which papers we send"},
			tool:      "create_invoice_copy", toolArgs: []string{"format"},
			result: `{"invoice":"INV-20931","sent_to":"the address on file","format":"pdf"}`,
			answers: []string{
				"Done: a corrected copy of invoice INV-20931 is on its way to the e-mail address of your account.",
				"The frame number is printed below the bottom bracket and on the invoice, which I have just sent you again as a PDF.",
			},
		},
	}
}

// systemPrompt opens every history.
const systemPrompt = "You are the support assistant of Two Wheels North. Answer from the handbook and the tools. " +
	"Be short and kind. Never promise a date that a tool did not give you."

// model is a language model with its price per million tokens, in US dollars.
type model struct {
	name, provider string
	inPrice        float64
	outPrice       float64
}

func chatModels() []model {
	return []model{
		{"gpt-4o-mini", "openai", 0.15, 0.60},
		{"gpt-4o-mini", "openai", 0.15, 0.60},
		{"claude-3-5-haiku", "anthropic", 0.80, 4.00},
		{"gpt-4o", "openai", 2.50, 10.00},
	}
}

func embeddingModel() model { return model{"text-embedding-3-small", "openai", 0.02, 0} }
