using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;
using TeleCmi.Functions;
using TeleCmi.Handlers;
using TeleCmi.Pipeline;
using TeleCmi.Storage.Azure;

var builder = FunctionsApplication.CreateBuilder(args);
builder.Services.AddTeleCmiPipeline();
builder.Services.AddAzureStorage();
builder.Services.AddHandlers();
builder.Services.AddTriggerSettings();
builder.Services.AddTelemetry(builder.Configuration);

await builder.Build().RunAsync();
