// A memory behind AXI4, one burst of each way at a time; DECERR where nothing lies.
`timescale 1ns/1ps
`default_nettype none

module axi_memory #(
    parameter DATA_BITS = 64,
    parameter ADDRESS_BITS = 40,
    parameter ID_BITS = 1,
    parameter WORDS = 1,
    parameter [ADDRESS_BITS-1:0] BASE = 0,
    parameter LOADED = 1, // memory.hex lies in it
    parameter LATENCY = 20
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire [ID_BITS-1:0]      arid,
    input  wire [ADDRESS_BITS-1:0] araddr,
    input  wire [7:0]              arlen,
    input  wire                    arvalid,
    output wire                    arready,
    output reg  [ID_BITS-1:0]      rid,
    output reg  [DATA_BITS-1:0]    rdata,
    output reg  [1:0]              rresp,
    output reg                     rlast,
    output reg                     rvalid,
    input  wire                    rready,
    input  wire                    awid,
    input  wire [ADDRESS_BITS-1:0] awaddr,
    input  wire                    awvalid,
    output wire                    awready,
    input  wire [DATA_BITS-1:0]    wdata,
    input  wire [DATA_BITS/8-1:0]  wstrb,
    input  wire                    wlast,
    input  wire                    wvalid,
    output wire                    wready,
    output reg                     bid,
    output reg  [1:0]              bresp,
    output reg                     bvalid,
    input  wire                    bready
);
    reg [DATA_BITS-1:0] words [0:WORDS-1];
    reg [ADDRESS_BITS-1:0] place, wplace;
    reg [8:0] left;
    reg [7:0] wait_left;
    reg writing;
    integer k;

    initial if (LOADED) $readmemh("memory.hex", words);
    assign arready = !rst && left == 0 && !rvalid;
    assign awready = !rst && !writing && !bvalid;
    assign wready = writing;

    always @(posedge clk) begin
        if (rst) begin
            left <= 0;
            rvalid <= 1'b0;
        end else if (arvalid && arready) begin
            rid <= arid;
            place <= (araddr - BASE) / (DATA_BITS / 8);
            left <= arlen + 1;
            wait_left <= LATENCY;
        end else if (wait_left != 0) begin
            wait_left <= wait_left - 1;
        end else if (!rvalid || rready) begin
            rvalid <= left != 0;
            if (left != 0) begin
                rdata <= place < WORDS ? words[place] : {DATA_BITS{1'b0}};
                rresp <= place < WORDS ? 2'b00 : 2'b11;
                rlast <= left == 1;
                place <= place + 1;
                left <= left - 1;
            end
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            writing <= 1'b0;
            bvalid <= 1'b0;
        end else if (awvalid && awready) begin
            bid <= awid;
            bresp <= 2'b00;
            wplace <= (awaddr - BASE) / (DATA_BITS / 8);
            writing <= 1'b1;
        end else if (wvalid && wready) begin
            if (wplace < WORDS) begin
                for (k = 0; k < DATA_BITS / 8; k = k + 1)
                    if (wstrb[k]) words[wplace][8*k +: 8] <= wdata[8*k +: 8];
            end else bresp <= 2'b11;
            wplace <= wplace + 1;
            writing <= !wlast;
            bvalid <= wlast;
        end else if (bready) bvalid <= 1'b0;
    end
endmodule

`default_nettype wire
