using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;
using TeleCmi.Functions;
using TeleCmi.Pipeline;

var builder = FunctionsApplication.CreateBuilder(args);
builder.Services.AddTeleCmiPipeline();
builder.Services.AddTriggerSettings();
builder.Services.AddTelemetry(builder.Configuration);

// Your own work on each event: builder.Services.AddCallEventHandler<YourHandler>();
await builder.Build().RunAsync();
