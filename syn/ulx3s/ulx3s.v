// llama2.myhdl. SPDX-License-Identifier: Apache-2.0
//
// The pins of a ULX3S, its PLL and its reset around `llama_board` (rtl/board/board.py). `pll` is what ecppll makes.
`default_nettype none

module ulx3s (
    input  wire       clk_25mhz,
    input  wire       ftdi_txd,   // the bridge sends
    output wire       ftdi_rxd,   // the bridge receives
    input  wire       btn_pwr,    // low when pressed
    output wire       flash_csn,
    output wire       flash_mosi,
    input  wire       flash_miso,
    output wire       flash_wpn,  // high, as no command uses them
    output wire       flash_holdn,
    output wire       wifi_gpio0, // high leaves the ESP32 alone
    output wire [7:0] led
);

assign wifi_gpio0 = 1'b1;
assign flash_wpn = 1'b1;
assign flash_holdn = 1'b1;

wire clk;
wire locked;

pll u_pll (
    .clkin(clk_25mhz),
    .clkout0(clk),
    .locked(locked)
);

// Reset: at once without a clock that holds or with the button, and out of it 17 cycles behind both, at a clock edge.
wire go = locked & btn_pwr;
reg [15:0] settled = 16'h0000;
reg rst = 1'b1;

always @(posedge clk or negedge go)
    if (!go) settled <= 16'h0000;
    else     settled <= {settled[14:0], 1'b1};

always @(posedge clk) rst <= !settled[15];

// The flash's clock has no pin of its own but the one that the device is configured by.
wire sck;

USRMCLK u_mclk (
    .USRMCLKI(sck),
    .USRMCLKTS(1'b0)
);

llama_board u_board (
    .clk(clk),
    .rst(rst),
    .rxd(ftdi_txd),
    .txd(ftdi_rxd),
    .cs_n(flash_csn),
    .sck(sck),
    .mosi(flash_mosi),
    .miso(flash_miso),
    .led(led)
);

endmodule
`default_nettype wire
